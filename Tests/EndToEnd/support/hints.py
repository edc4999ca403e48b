"""Whether invitations come by a hint: those that wait for the poll take up to 250 ms."""

from __future__ import annotations

from support.pauses import Pauses
from support.people import Person
from support.stack import Stack, wait_until

SAMPLES, PROMPT, SECONDS = 15, 13, 0.1


def listeners(stack: Stack, person: Person) -> int:
    """How many servers hear of it when the user has something new."""
    ((_, count),) = stack.redis.pubsub_numsub(f"chattrix:user:{person.id}")
    return count


def delay(caller: Person, callee: Person, listening) -> float:
    """Seconds from the request to the invitation on a socket of the callee's, without the machine's pauses; `listening`
    says whether its server hears of hints."""
    socket = callee.socket()
    wait_until(listening, message="a server that listens")
    with Pauses() as pauses:
        caller.call(callee)
        socket.take("call_invitation")
        took = pauses.took
    socket.close()
    return took


def are_prompt(sample) -> bool:
    """Whether nearly all of some delays are short. By the poll alone two of five are, and so many once in 3,500 times."""
    return sum(sample() < SECONDS for _ in range(SAMPLES)) >= PROMPT
