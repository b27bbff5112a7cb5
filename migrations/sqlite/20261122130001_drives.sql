-- Which hosts say that they drive gateways that are not ours: asked for by every page with the map, and a report is long.
alter table host_latest add column drives integer not null default 0;
update host_latest set drives = 1 where facts like '%"driven":[%';
create index host_latest_drives on host_latest (host) where drives = 1;
