-- When each consumer was last seen, and what it spent since an instant, without going over everybody else's rows.
create index usage_by_consumer on usage (consumer, at, cost, prompt_tokens, completion_tokens);
