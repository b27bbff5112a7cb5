-- What people changed on the dashboard, each entry bound to the one before by SHA-256.
create table changes (
  n integer primary key not null,
  at integer not null,
  who text not null,
  how text not null,
  came_from text,
  what text not null,
  subject text not null,
  detail text not null,
  sha256 text not null
) strict;
