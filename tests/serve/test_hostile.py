"""Some requests of every hostile kind; thousands of them: tests/proof/test_hostile_requests.py."""

from random import Random

from tests.serve import hostile
from tests.serve.attack import attack
from tests.serve.serving import Server


def test_it_goes_on_serving(server: Server) -> None:
    random = Random("hostile requests")
    outcome = attack(server, [hostile.draw(random) for _ in range(150)], clients=8)
    assert len(outcome.kinds) == len(hostile._KINDS)
    assert not {status for status in outcome.statuses if status >= 500 and status != 503}
    assert outcome.slowest_good_seconds < 1
    assert server.process.poll() is None
