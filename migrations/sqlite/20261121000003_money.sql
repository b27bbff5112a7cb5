-- In which API it was asked, what it cost, and how fast it began. Earlier rows were chat; what they cost outside the
-- house was not known.
alter table usage add column api text not null default 'openai.chat';
alter table usage add column cached_tokens integer not null default 0;
alter table usage add column reasoning_tokens integer not null default 0;
-- Millionths of a US dollar; null where the price is unknown.
alter table usage add column cost integer;
alter table usage add column fell_back_from text;
alter table usage add column first_byte_ms integer;

update usage set cost = 0 where class = 'local';

drop index usage_by_time;
create index usage_by_time on usage (at, prompt_tokens, completion_tokens, estimated, cost);
