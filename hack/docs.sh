#!/usr/bin/env bash
# Builds the site of the documentation into target/docs, and checks its links. The pages are those of docs/ and those in pages below.
# A link to another file of the project becomes a link to it on GitHub.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$PWD/target/docs
source=target/docs-source
repository=https://github.com/rolewright/rolewright/blob/main
# Pages outside docs/, and their files on the site.
pages=(
  README.md=index.md
  charts/rolewright/README.md=chart.md
  CHANGELOG.md=changelog.md
  CONTRIBUTING.md=contributing.md
  SECURITY.md=reporting.md
)

main() {
  hack/tools.sh mdbook
  collect
  rm -rf "$out"
  MDBOOK_LOG=warn hack/bin/mdbook build "$source" --dest-dir "$out" 2>&1 | tee target/docs.log
  rm -f "$out/book.toml" "$out/site.css" # mdBook copies all files; it has its own copy of the style
  # mdBook warns about broken Markdown, and goes on.
  [ ! -s target/docs.log ] || { echo "hack/docs.sh: mdbook has warnings" >&2 && exit 1; }
  check
  echo "docs: target/docs/index.html, $(find "$out" -name '*.html' | wc -l) pages, all links checked"
}

# Copies all pages into one folder, with the links that they need there.
collect() {
  rm -rf "$source"
  mkdir -p "$source"
  cp -R docs/. "$source"
  mkdir -p "$source/theme"
  cp docs/icon.svg "$source/theme/favicon.svg"
  local page
  for page in "${pages[@]}"; do rewrite "${page%=*}" "${page#*=}"; done
  find docs -name '*.md' | while read -r page; do rewrite "$page" "${page#docs/}"; done
}

# rewrite PAGE FILE: writes a page of the project to a file of the site
rewrite() {
  awk -v page="$1" -v file="$2" -v table="${pages[*]}" -v repository="$repository" '
    BEGIN {
      count = split(table, entries, " ")
      for (i = 1; i <= count; i++) { split(entries[i], entry, "="); moved[entry[1]] = entry[2] }
      folder = page; if (!sub(/\/[^\/]*$/, "", folder)) folder = ""
      up = file; gsub(/[^\/]*\//, "../", up); sub(/[^\/]*$/, "", up)
    }
    /^ *```/ { fenced = !fenced }
    fenced { print; next }
    {
      rest = $0; line = ""
      while (match(rest, /\]\([^) ]+\)/)) {
        line = line substr(rest, 1, RSTART + 1) link(substr(rest, RSTART + 2, RLENGTH - 3)) ")"
        rest = substr(rest, RSTART + RLENGTH)
      }
      print line rest
    }
    # Without match(), whose results the loop uses.
    function link(target,    anchor, path) {
      if (target ~ /^(https:|mailto:|#)/) return target
      anchor = ""
      if (index(target, "#")) { anchor = substr(target, index(target, "#")); target = substr(target, 1, index(target, "#") - 1) }
      path = resolve(folder "/" target)
      if (path in moved) return up moved[path] anchor
      # The site has no page for a folder.
      if (path ~ /^docs\/.*\./) return up substr(path, 6) anchor
      return repository "/" path anchor
    }
    function resolve(path,    parts, n, i, kept, depth) {
      n = split(path, parts, "/"); depth = 0
      for (i = 1; i <= n; i++) {
        if (parts[i] == "..") depth--
        else if (parts[i] != "" && parts[i] != ".") kept[++depth] = parts[i]
      }
      path = kept[1]
      for (i = 2; i <= depth; i++) path = path "/" kept[i]
      return path
    }
  ' "$1" >"$source/$2"
}

# Each link of the site has its file, and the file has the anchor.
check() {
  local html link file anchor broken=0
  while read -r html; do
    while read -r link; do
      file=${link%%#*} anchor=
      [ "$link" = "$file" ] || anchor=${link#*#}
      file=${file:+$(dirname "$html")/$file}
      file=${file:-$html}
      [ ! -d "$file" ] || file=$file/index.html
      if [ ! -e "$file" ] || { [ -n "$anchor" ] && ! grep -qF "id=\"$anchor\"" "$file"; }; then
        echo "hack/docs.sh: ${html#"$out"/} has a broken link: $link" >&2
        broken=1
      fi
    done < <(grep -oE '<(a|img)[^>]* (href|src)="[^"]*"' "$html" | sed 's/.*="\(.*\)"$/\1/' | grep -vE '^(https?:|mailto:|/)' | sort -u)
  done < <(find "$out" -name '*.html' ! -name toc.html ! -name 404.html)
  [ $broken = 0 ]
}

main
