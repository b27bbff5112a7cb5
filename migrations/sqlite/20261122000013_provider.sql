-- What a session needs of the provider it was begun at. The tokens are sealed with the session's own, which is kept nowhere.
alter table sessions add column subject text;
alter table sessions add column provider_sid text;
alter table sessions add column sealed text;
alter table sessions add column renew_at integer;

create index sessions_by_subject on sessions (subject);
