//! Handing one mail of ours to the next hop, from the command line.

use std::sync::Arc;

use kakitome_pki::address::Address;

use crate::cli::{Everywhere, Failure, config};
use crate::gateway::client::Delivered;
use crate::gateway::command;
use crate::gateway::next_hop::NextHop;
use crate::gateway::reply::Reply;
use crate::gateway::tls::Credentials;

/// Hands a mail to `gateway.next_hop`, or puts it into the Maildir where none is set, as `kakitome up` does with what
/// leaves; gives what the next hop said.
///
/// # Errors
/// It refuses the mail, or cannot be reached.
pub(super) fn send(everywhere: &Everywhere, from: &Address, to: &Address, mail: Vec<u8>) -> Result<Reply, Failure> {
    let settings = config::load(everywhere)?;
    let credentials = Arc::new(Credentials::open(&settings.tls).map_err(Failure::try_again)?);
    let next_hop = NextHop::open(&settings.gateway, &everywhere.data, &credentials).map_err(Failure::try_again)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(hand_over(&next_hop, from, to, mail))
}

async fn hand_over(next_hop: &NextHop, from: &Address, to: &Address, mail: Vec<u8>) -> Result<Reply, Failure> {
    let path = |address: &Address| command::Address { path: address.to_string(), parameters: Vec::new() };
    let (mut delivery, _) = next_hop.begin(&path(from), &[]).await.map_err(|reply| refused(&reply))?;
    let reply = delivery.recipient(&path(to)).await;
    if !is_taken(&reply) {
        delivery.abandon();
        return Err(refused(&reply));
    }
    let delivered = delivery.deliver(Arc::new(mail)).await;
    delivery.abandon();
    match delivered {
        Delivered::Answered(reply) if is_taken(&reply) => Ok(reply),
        Delivered::Answered(reply) => Err(refused(&reply)),
        Delivered::Unknown(reply) => Err(Failure::try_again(format!(
            "the connection was lost before the next hop answered, so it may have the mail: {}",
            reply.summary()
        ))),
    }
}

fn is_taken(reply: &Reply) -> bool {
    (200..300).contains(&reply.code())
}

fn refused(reply: &Reply) -> Failure {
    let text = format!("the next hop does not take it: {}", reply.summary());
    if reply.code() >= 500 { Failure::unreadable(text) } else { Failure::try_again(text) }
}
