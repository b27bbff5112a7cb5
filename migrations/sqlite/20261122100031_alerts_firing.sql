-- What fires stands first in every list of alerts, and is little among what was.
create index alerts_firing on alerts (id) where ended is null;
