-- The newest report of each host. What it says is a claim; address, dial and certificate_ends were seen by us.
create table host_latest (
  host text primary key not null,
  at integer not null,
  seq integer not null,
  boot text not null,
  up_ms integer not null,
  claimed_at integer not null,
  lost integer not null,
  refused integer not null,
  cpu_ppm integer,
  memory_ppm integer,
  disk_ppm integer,
  temp_mc integer,
  gpu_ppm integer,
  vram_ppm integer,
  posture_fail integer,
  posture_unknown integer,
  version text,
  facts text not null,
  address text not null,
  dial text not null,
  certificate_ends integer
) strict;

-- One row a report, for two hours. A row with folded = 0 is not yet in the coarser samples.
create table host_reports (
  host text not null,
  at integer not null,
  folded integer not null default 0 check (folded in (0, 1)),
  cpu_ppm integer,
  memory_ppm integer,
  disk_ppm integer,
  temp_mc integer,
  gpu_ppm integer,
  vram_ppm integer,
  rx_bps integer,
  tx_bps integer,
  primary key (host, at)
) strict, without rowid;

create index host_reports_unfolded on host_reports (folded) where folded = 0;
create index host_reports_by_age on host_reports (at);

-- Means over a minute, a quarter of an hour and an hour; step is their length in milliseconds.
create table host_samples (
  step integer not null,
  host text not null,
  at integer not null,
  reports integer not null,
  cpu_ppm integer,
  cpu_most_ppm integer,
  memory_ppm integer,
  disk_ppm integer,
  temp_mc integer,
  gpu_ppm integer,
  vram_ppm integer,
  rx_bps integer,
  tx_bps integer,
  primary key (step, host, at)
) strict, without rowid;

create index host_samples_by_age on host_samples (step, at);

-- What is wrong, or was. An alert without an end is firing.
create table alerts (
  id integer primary key not null,
  rule text not null,
  host text,
  subject text not null,
  text text not null,
  since integer not null,
  ended integer,
  quiet integer not null check (quiet in (0, 1)),
  told integer
) strict;

create index alerts_by_host on alerts (host, ended);
create index alerts_by_time on alerts (since);

-- How the last run of each scheduled job went.
create table jobs (
  name text primary key not null,
  schedule text not null,
  last integer not null,
  took_ms integer not null,
  done text not null,
  problem text,
  next integer
) strict;

-- Digests of models that a host was seen with; a new one is worth a look.
create table host_models (
  host text not null,
  digest text not null,
  name text not null,
  since integer not null,
  primary key (host, digest)
) strict, without rowid;
