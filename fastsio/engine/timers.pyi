from fastsio.outbox import Outbox

class Deadlines:
    looks: int
    lag_last: int
    lag_total: int
    lag_largest: int
    def __init__(self, outbox: Outbox) -> None: ...
    def stop(self) -> None: ...
