"""How many at a time, and whose turn is next."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from conformance.engine.slots import Slots


@given(st.lists(st.booleans(), max_size=20), st.integers(1, 4), st.sets(st.integers(0, 19)))
def test_never_more_than_there_are_and_nobody_is_forgotten(urgencies, count, cancelled):
    """Whoever is in a hurry, and whoever gives up: the limit holds and all others get their turn."""
    inside, most, served = 0, 0, []

    async def use(slots, number, urgent):
        nonlocal inside, most
        async with slots.slot(urgent=urgent):
            inside += 1
            most = max(most, inside)
            try:
                await asyncio.sleep(0)
            finally:
                inside -= 1
            served.append(number)

    async def main():
        slots = Slots(count)
        tasks = [asyncio.ensure_future(use(slots, *each)) for each in enumerate(urgencies)]
        await asyncio.sleep(0)
        for number in cancelled & set(range(len(tasks))):
            tasks[number].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())

    assert most <= count
    assert set(range(len(urgencies))) - cancelled <= set(served)


def test_who_is_in_a_hurry_goes_first():
    """A chain of questions does not queue behind those that depend on nothing."""
    order = []

    async def use(slots, name, urgent):
        async with slots.slot(urgent=urgent):
            await asyncio.sleep(0)
            order.append(name)

    async def main():
        slots = Slots(1)
        await asyncio.gather(
            *(use(slots, name, name == "urgent") for name in ("a", "b", "c", "urgent"))
        )

    asyncio.run(main())

    assert ["a", "urgent", "b", "c"] == order
