//! AWS SQS: asks a queue that an SNS topic fills, so that no port need be open. The channel verifies each body as if SNS had
//! called. <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>
//!
//! A message is deleted only after the kill switch took it; one that is not comes back by itself.

use crate::aws::{Credentials, KIND, Service};
use crate::channel::ChannelSettings;
use crate::context::Context;
use crate::endpoint::Endpoint;
use crate::letter::{Again, Failure};
use crate::link::Untaken;
use crate::web::CALL_LIMIT;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How long SQS may hold an empty answer, in seconds; the longest it allows.
const POLL: u64 = 20;
/// A message handed over is not given again for so long, in seconds.
const HIDDEN: u64 = 60;
/// Before the next attempt.
const PAUSE: Duration = Duration::from_secs(3);
/// Messages handed over at the same time; none is asked for while there are more.
const AT_ONCE: usize = 64;

/// The queue.
pub(crate) struct Sqs {
    service: Service,
    queue: Arc<str>,
}

#[derive(Deserialize)]
struct Received {
    #[serde(rename = "Messages", default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
pub(crate) struct Message {
    #[serde(rename = "MessageId")]
    id: String,
    #[serde(rename = "ReceiptHandle")]
    receipt: String,
    #[serde(rename = "Body")]
    pub(crate) body: String,
}

/// The messages in an answer.
pub(crate) fn read(answer: &[u8]) -> Option<Vec<Message>> {
    let received = serde_json::from_slice::<Received>(answer).ok()?;
    Some(received.messages)
}

impl Sqs {
    pub(crate) const KIND: &str = KIND;

    pub(crate) fn new(channel: &ChannelSettings) -> Result<Option<Self>, String> {
        let Some(queue) = channel.get("queue_url") else {
            return Ok(None);
        };
        let endpoint = Endpoint::new("queue_url", queue)?.root();
        Ok(Some(Self {
            service: Service::new("sqs", endpoint, Credentials::new(channel)?),
            queue: queue.into(),
        }))
    }

    pub(crate) async fn run(&self, context: &Context) {
        let mut handing = JoinSet::new();
        loop {
            while handing.try_join_next().is_some() {}
            if handing.len() >= AT_ONCE {
                handing.join_next().await;
                continue;
            }
            let received = tokio::select! {
                () = context.stop.cancelled() => return,
                received = self.receive(context) => received,
            };
            match received {
                Ok(messages) => {
                    context.health(None);
                    for message in messages {
                        let (service, queue) = (self.service.clone(), Arc::clone(&self.queue));
                        let context = context.clone();
                        handing.spawn(hand_over(service, queue, context, message));
                    }
                }
                Err(failure) => {
                    let wait = match failure.again {
                        Again::After(wait) => wait.max(PAUSE),
                        Again::Never | Again::Broken => PAUSE * 5,
                        Again::Later => PAUSE,
                    };
                    context.health(Some(failure.why));
                    context.nap(wait).await;
                }
            }
        }
    }

    async fn receive(&self, context: &Context) -> Result<Vec<Message>, Failure> {
        let body = serde_json::json!({
            "QueueUrl": &*self.queue,
            "WaitTimeSeconds": POLL,
            "MaxNumberOfMessages": 10,
            "VisibilityTimeout": HIDDEN,
        });
        let limit = Duration::from_secs(POLL) + CALL_LIMIT;
        let target = "AmazonSQS.ReceiveMessage";
        let answer = self
            .service
            .call(&context.web, target, &body, limit)
            .await?;
        read(&answer.body).ok_or_else(|| Failure::later("its answer is not understood"))
    }
}

async fn hand_over(service: Service, queue: Arc<str>, context: Context, message: Message) {
    let taken = context.webhook(&message.id, Vec::new(), message.body).await;
    match taken {
        Err(Untaken::Stopping) => return,
        Err(Untaken::TooLong) => {
            tracing::warn!(
                channel = context.channel(),
                "A message of the queue is too long for any text; it is deleted unread."
            );
        }
        Ok(()) => {}
    }
    let body = serde_json::json!({ "QueueUrl": &*queue, "ReceiptHandle": message.receipt });
    let target = "AmazonSQS.DeleteMessage";
    let deleted = service.call(&context.web, target, &body, CALL_LIMIT).await;
    if let Err(failure) = deleted {
        // It comes back, is known by its id, and is tried again.
        context.health(Some(format!(
            "a message cannot be deleted: {}",
            failure.why
        )));
    }
}
