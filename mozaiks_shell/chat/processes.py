"""What makes one chat room of several server processes: leases, the bus, the log that is followed, commands to the owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mozaiks_shell.broker import service as broker
from mozaiks_shell.chat.exchange import Exchange, Verb
from mozaiks_shell.chat.follow import Followers
from mozaiks_shell.chat.ownership import guard, prepare
from mozaiks_shell.chat.runs import Hooks, Runs
from mozaiks_shell.chat.transcript import Transcript
from mozaiks_shell.chat.writer import Entry
from mozaiks_shell.foundation.bus import Bus
from mozaiks_shell.foundation.leases import SECONDS, Leases

LEASE_SECONDS = SECONDS
_PROCESSES = "processes"  # topic: one came or went


@dataclass(frozen=True, slots=True)
class Process:
    """The chat room of this process."""

    runs: Runs
    exchange: Exchange
    followers: Followers
    leases: Leases
    bus: Bus

    async def stop(self) -> None:
        """Let go of everything; other processes take over what is still open."""
        await self.exchange.stop()
        await self.runs.close()
        await self.followers.stop()
        await self.runs.transcript.close()
        await self.leases.stop()
        self.bus.ring(_PROCESSES)
        await self.bus.stop()


async def start(hooks: Hooks, verbs: Mapping[str, Verb]) -> Process:
    """Open the transcript and be one of the processes."""
    leases = Leases(LEASE_SECONDS)
    transcript = Transcript()
    transcript.prepare = prepare
    transcript.guard(guard)
    followers = Followers(transcript, leases)

    def heard(topics: frozenset[str]) -> None:
        followers.grown(topics)
        exchange.heard(topics)
        if _PROCESSES in topics:
            leases.wake()

    def observe(batch: Sequence[Entry], error: BaseException | None) -> None:
        if error is not None:
            if any(entry.fence for entry in batch):
                leases.wake()  # perhaps it is not ours any more
        elif not leases.alone:
            bus.ring(*{entry.channel.chat_id for entry in batch if entry.fence and entry.body})

    bus = Bus(heard, lambda: leases.alone)
    transcript.observe = observe
    runs = Runs(transcript, hooks, leases, followers)
    exchange = Exchange(leases, bus, runs.find)
    await bus.start()
    await leases.start(runs.lost, runs.orphans)
    bus.ring(_PROCESSES)
    exchange.start(verbs)
    broker.use_leases(leases)
    return Process(runs, exchange, followers, leases, bus)
