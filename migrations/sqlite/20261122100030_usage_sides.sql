-- What was used by day, once for each side it is asked by (consumer, model, target, route, source) and once for all together
-- (`day`, without a name): a year by one side is read without the rows of all others. It takes the place of usage_days, whose
-- rows were as many as the combinations of all sides.
create table usage_sides (
  side text not null check (side in ('consumer', 'model', 'target', 'route', 'source', 'day')),
  day integer not null,
  name text not null,
  exchanges integer not null,
  prompt_tokens integer not null,
  completion_tokens integer not null,
  estimated integer not null,
  cost integer not null,
  unknown_price integer not null,
  primary key (side, day, name)
) strict, without rowid;

insert into usage_sides
select 'consumer', day, consumer, sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
  sum(unknown_price) from usage_days group by day, consumer;
insert into usage_sides
select 'model', day, model, sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
  sum(unknown_price) from usage_days group by day, model;
insert into usage_sides
select 'target', day, target, sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
  sum(unknown_price) from usage_days group by day, target;
insert into usage_sides
select 'route', day, route, sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
  sum(unknown_price) from usage_days group by day, route;
insert into usage_sides
select 'source', day, source, sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
  sum(unknown_price) from usage_days group by day, source;
insert into usage_sides
select 'day', day, '', sum(exchanges), sum(prompt_tokens), sum(completion_tokens), sum(estimated), sum(cost),
  sum(unknown_price) from usage_days group by day;

drop table usage_days;

-- When a consumer was last seen; what it used is in usage_sides.
drop index usage_by_consumer;
create index usage_by_consumer on usage (consumer, at);

-- When a source last told of a call, without going over the house's own.
create index usage_by_source on usage (source, at) where source <> 'gateway';
