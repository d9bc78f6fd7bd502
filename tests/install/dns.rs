//! The DNS server of the cluster: it answers for one name, so that the test sees the operator resolve it.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    thread,
};

/// The address that kubelet writes into the pods.
pub const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 10);

/// Serves `name` in a thread until the process ends. All other names do not exist.
pub fn serve(name: &'static str, address: Ipv4Addr) -> io::Result<()> {
    let socket = UdpSocket::bind((ADDRESS, 53))?;
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut query) {
            if let Some(answer) = answer(&query[..length], name, address) {
                let _ = socket.send_to(&answer, client);
            }
        }
    });
    Ok(())
}

/// The answer to a query with one question (RFC 1035, section 4).
fn answer(query: &[u8], name: &str, address: Ipv4Addr) -> Option<Vec<u8>> {
    const HEADER: usize = 12;
    let question = query.get(HEADER..)?;
    let mut labels = Vec::new();
    let mut at = 0;
    loop {
        let length = usize::from(*question.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at..at + length)?).to_lowercase());
        at += length;
    }
    let kind = question.get(at..at + 2)?;
    let question = question.get(..at + 4)?;
    let known = labels.join(".") == name;
    let found = known && kind == [0, 1];
    // A response with recursion; 3: the name does not exist.
    let mut answer = vec![query[0], query[1], 0x81, if known { 0x80 } else { 0x83 }];
    answer.extend([0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    answer.extend(question);
    if found {
        // The name of the question, type A, class IN, 5 s, 4 bytes.
        answer.extend([0xc0, HEADER as u8, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4]);
        answer.extend(address.octets());
    }
    Some(answer)
}
