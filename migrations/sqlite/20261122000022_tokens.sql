-- Tokens for programs. Of each only the hash is kept, and of a revoked one the name, so that the record stays whole.
create table tokens (
  name text primary key not null,
  token_sha256 text not null,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  created integer not null,
  created_by text not null,
  expires integer not null,
  revoked integer,
  last_used integer
) strict;

create unique index tokens_by_hash on tokens (token_sha256);
