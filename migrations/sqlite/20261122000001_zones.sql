-- The list goes by zone and name, a page at a time: in this order no page sorts every host.
create index hosts_by_zone on hosts (zone, name);
