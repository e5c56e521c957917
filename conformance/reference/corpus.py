"""The prose the language model has read.

A few dozen plain sentences, written for this project. They decide which words are single tokens
(:mod:`.tokenizer`) and which word follows which (:mod:`.language_model`). Accents, arrows, CJK and
emoji are there on purpose: some of their characters span several tokens.
"""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES: tuple[str, ...] = tuple(
    line.strip()
    for line in """
The water boils in a large pot on the stove.
Add a little salt to the water before the pasta goes in.
A good sauce starts with olive oil, garlic and a few ripe tomatoes.
Cook the pasta for eight minutes, then taste a piece of it.
You can keep a cup of the cooking water for the sauce.
Fresh basil makes a simple dish smell like summer.
I would begin with a small question and look for a clear answer.
Here is a short list of things that may help you today.
We can talk about food, music, travel or the weather if you like.
Of course, I am happy to help you with that.
The first step is to read the whole plan once.
The second step is to write down what you already know.
The last step is to check the result with a friend.
It often helps to break a hard problem into small parts.
Small changes, made every day, lead to a large result.
Some people walk to work, while other people take the train.
The train leaves the old station at nine in the morning.
From the window you see the river, the bridge and the green hills.
Rain came from the west and the streets were soon empty.
After the rain, the air was cold and very clean.
A child ran over the bridge with a red kite in her hand.
The wind took the kite and carried it far above the houses.
Nobody knew where it went, but the child did not cry.
An old man sat in the café and read the paper.
He drank his coffee slowly and said hello to the waiter.
The waiter brought a piece of crème brûlée and a glass of water.
My naïve idea was to paint the whole house in one day.
We painted one wall in blue and left the rest for another time.
Tomorrow we will try again with more paint and more friends.
Friends make heavy work light, as my mother used to say.
My mother kept bees behind the house and sold honey at the market.
The market opens at six and closes when the last apple is sold.
Bees fly from flower to flower and never seem to rest.
In the evening they return to the hive and the garden is quiet.
A garden needs light, water and a lot of time.
Time is the one thing that no shop can sell you.
Books are cheap, and a good book lasts for years.
She wrote a letter to her brother and sent it by ship.
The ship crossed the sea in twelve days and three storms.
Her brother read the letter twice and laughed out loud.
They met again in the spring, near the old stone gate.
Numbers such as one, two and three are easy to learn.
A computer adds numbers quickly but does not know why.
To learn a new language, listen first and speak soon after.
In Japanese, 水 means water and 山 means mountain.
A smile 😀 says more than a long speech.
The sign said north → 12 miles, south → 40 miles.
Dinner costs 20 € for two, bread and wine included.
Please write your name below and press the green button.
If the button does nothing, wait a moment and press it again.
Most errors are small, and most of them are our own.
A test that cannot fail does not tell you much.
Measure twice, cut once, and keep the sharp knife clean.
That is a good question, and the answer is not simple.
There are two ways to see it, and both of them are right.
On the one hand, speed is useful when the road is clear.
On the other hand, a careful driver sees more of the road.
Maybe the best way is to go slowly and stop for lunch.
Lunch was soup, bread, cheese and a bowl of cherries.
The cat slept under the table and dreamed of fish.
Every night the stars come out over the dark fields.
Let me know if you want another example.
Have a nice day, and come back soon!
What would you like to do next?
How does that sound to you?
Would you like more detail about any of these points?
""".strip().splitlines()
)
