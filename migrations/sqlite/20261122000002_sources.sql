-- Which gateway told of a call: the embedded one by its spool, or one of the configuration's usage sources. A row of a
-- source has its name before the call's own id, so that the primary key knows a call again by both.
alter table usage add column source text not null default 'gateway';
