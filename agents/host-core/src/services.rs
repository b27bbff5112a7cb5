//! What services on the host answer: Ollama and gateways. Only questions that cost nothing.

mod gateway;
mod ollama;

pub use gateway::{Answer, asked_of, gateway};
pub use ollama::{OLLAMA_LOADED, OLLAMA_MODELS, OLLAMA_VERSION, ollama};
