-- Signed-in browsers. The token itself is kept nowhere.
create table sessions (
  token_sha256 text primary key not null,
  created integer not null,
  expires integer not null
) strict;

create index sessions_by_expiry on sessions (expires);
