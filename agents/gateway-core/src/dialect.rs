//! What requests and answers say in each API: which model, how much text, how an error looks, where a stream ends.
