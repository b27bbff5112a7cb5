-- What the gateway noticed and somebody should know of: it cut nothing.
create table remarks (
  id text primary key not null,
  at integer not null,
  consumer text,
  kind text not null,
  text text not null
) strict;

create index remarks_by_time on remarks (at);

-- Fallbacks are few among many exchanges.
create index usage_fallbacks on usage (at, fell_back_from, target) where fell_back_from is not null;
