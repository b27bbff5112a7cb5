-- Whose a session is, how it was begun and what it may. Those from before were begun by a link of the machine's owner.
alter table sessions add column role text not null default 'admin';
alter table sessions add column how text not null default 'link';
alter table sessions add column who text not null default '';
alter table sessions add column came_from text;
