-- What was used, by day (UTC, in days since 1970) and by whatever it is asked by: the spend page adds up these rows instead of
-- every exchange there ever was. Written in the transaction that takes an exchange in.
create table usage_days (
  day integer not null,
  consumer text not null,
  route text not null,
  target text not null,
  model text not null,
  source text not null,
  exchanges integer not null,
  prompt_tokens integer not null,
  completion_tokens integer not null,
  estimated integer not null,
  cost integer not null,
  unknown_price integer not null,
  primary key (day, consumer, route, target, model, source)
) strict, without rowid;

insert into usage_days
select at / 86400000, consumer, route, target, model, source, count(*), sum(prompt_tokens), sum(completion_tokens),
  sum(estimated), coalesce(sum(cost), 0), count(*) - count(cost)
from usage group by 1, 2, 3, 4, 5, 6;
