"""What one fault is made of."""

# A cut is there at once; this leaves room for several houses at a time on two cores.
CUT = 6.0
# Silence is permission for a minute, and every second of it is looked at.
LEASE = 66.0


class CannotInject(Exception):
    """This machine does not allow the fault to be made."""


class Fault:
    """A fault that is made, and may need mending so that the machine stays as it was."""

    number, what, within = "F0", "", CUT

    def prepare(self, site):
        """Before the house starts."""

    def inject(self, site):
        """In a house that is open, with a stream running."""

    def afterwards(self, site):
        """When everything is closed: what must not open it again."""

    def mend(self, site):
        """Undoes what outlives the house."""
