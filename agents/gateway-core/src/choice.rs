//! Which target may serve an exchange: policy, breakers, health, room.
