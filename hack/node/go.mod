module rolewright.dev/hack/node

go 1.26.7
