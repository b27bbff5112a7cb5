-- Passkeys: what proves who holds one, and whose it is. Without issuer and subject it is of the machine's owner.
create table passkeys (
  id text primary key not null,
  name text not null,
  handle text not null,
  issuer text,
  subject text,
  who text not null,
  role text not null check (role in ('viewer', 'operator', 'admin')),
  vouched integer not null,
  public_key text not null,
  state text not null,
  created integer not null,
  last_used integer,
  check ((issuer is null) = (subject is null))
) strict;

create index passkeys_by_person on passkeys (subject, issuer);

-- The passkey a session was begun with. Without it, or with a role that is not the passkey's any more, the session is over.
alter table sessions add column passkey text;
