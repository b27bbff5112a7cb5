//! What models cost: a dated table with its source, and what one exchange comes to. No IO.
