-- Hosts of the house, and the one invitation that each may have open. Of a token only the hash is kept.
create table hosts (
  name text primary key not null,
  zone text not null,
  roles text not null,
  dial text not null,
  address text,
  state text not null,
  created integer not null,
  invite_sha256 text,
  invite_expires integer,
  joined integer,
  revoked integer,
  -- The name the certificate was issued for: after a rename the next certificate has the new one.
  cert_name text,
  cert_sha256 text,
  cert_issued integer,
  cert_not_after integer,
  -- The certificate before, good until the next was seen: an answer may be lost on its way.
  before_sha256 text,
  before_not_after integer
) strict;

create unique index hosts_by_certificate on hosts (cert_sha256);
create index hosts_by_certificate_before on hosts (before_sha256);
