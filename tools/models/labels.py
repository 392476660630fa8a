"""Product categories read off the names of pictures: emoji, clip-art, furniture models.

``None``: the name does not say. The tables are our reading of the vendor's categories.
"""

from __future__ import annotations

import re

from tools.models.groups import OTHER

__all__ = ["category_of"]

_WORDS = {
    0: "t-shirt|coat|womans-clothes|running-shirt|kimono|lab-coat|safety-vest|martial-arts-uniform"
    "|jacket|suit|pullover|sweater|vest|blouse",
    1: "dress|sari|gown",
    2: "jeans|shorts?|trousers|skirt|pantyhose",
    3: "backpack|briefcase|clutch-bag|handbag|luggage|purse|shopping-bags|suitcase|borsetta"
    "|baggage",
    4: "ballet-shoes|flat-shoe|high-heeled-shoe|hiking.boot|ice-skate|mans-shoe|roller-skate"
    "|running-shoe|thong-sandal|womans-boot|womans-sandal|sneakers?|shoes?|woman shoes|boots?"
    "|mocassin"
    "|tennis.shoe|thongs",
    5: "caps?|billed-cap|glasses|sunglasses|glove|gloves|hats?|ring|rings|watch|helmet|crown"
    "|gem-stone|goggles|graduation-cap|necktie|prayer-beads|scarf|umbrella|closed-umbrella|top-hat"
    "|tophat|womans-hat|folding-hand-fan|earring|gold.chain|mitten|fedora|sombrero|military-helmet"
    "|rescue-workers-helmet|hair-pick|ribbon|umbrella-on-ground|crown",
    6: "apples?|cake|cakes|salad|bowl with (fruits|salad)|birthday cake|roasted chicken"
    "|sushi.*|fries|hamburger|chicken|apricot|avocado|bacon|bagel|bananas?|beef"
    "|blueberries|bread|baguette.*|bun|cabbage|candy|cauliflower|cheese|cheese-wedge|cherries"
    "|cherry|chestnut|chocolate|chocolate-bar|coconut|cookie|corn|ear-of-corn|croissant|cucumber"
    "|cupcake|custard|dango|doughnut|donut|egg|eggs|eggplant|fortune-cookie|garlic|ginger-root"
    "|grapes|green-apple|red-apple|green-salad|ham|honey-pot|hot-dog|ice-cream|soft-ice-cream"
    "|jelly|kiwi|kiwi-fruit|leafy-green|lemon|lime|lettuce|lollipop|lobster.*dish|mango|meat"
    "|meat-on-bone|melon|moon-cake|mushroom|oden|olive|onion|orange|tangerine|pancakes|papaya"
    "|peach|peanuts|pea-pod|pear|peppers?|bell-pepper|hot-pepper|pie|pineapple|pizza|popcorn"
    "|potato|poultry-leg|pretzel|pumpkin|raspberry|rice-ball|rice-cracker|cooked-rice|curry-rice"
    "|roasted-sweet-potato|root-vegetable|sandwich|shallow-pan-of-food|shaved-ice|shortcake"
    "|shrimp|fried-shrimp|spaghetti|steaming-bowl|steak|cut-of-meat|stuffed-flatbread|strawberry"
    "|sushi|taco|tamale|tomato|turnip|waffle|watermelon|yoghurt|birthday-cake|bento-box"
    "|falafel|flatbread|fish-cake-with-swirl|canned-food|butter|beans|burrito|carrot|broccoli"
    "|brown-mushroom|dumpling|cooking|fondue|lasagna|perogies|soup|french.fries|pomodori|zucca"
    "|cornetto|candied_apples.*|onion.rings.*|sub.*sandwich.*",
    7: "lip ?stick|lotion-bottle|nail-polish|soap|lipstick|sapone_liquido.*|comb|make.?up",
    8: "beer-mug|beverage-box|bottle-with-popping-cork|bubble-tea|cup-with-straw|glass-of-milk"
    "|baby-bottle|sake|wine-glass|beer bottle|wine bottle|bottle|biberon|clinking-beer-mugs"
    "|clinking-glasses|tropical-drink|juice|milk|jar|old jar|tumbler-glass|spray bottle",
    9: "armchair.*|chair.*|.*chair|stool|.*stool|beds?|.* bed|bookcase|.*bookcase|sofa.*|.*sofa.*"
    "|couch.*|.*couch|table|.*table|table on trestles|desk|.*desk|desk table|lamp|.* lamp"
    "|shelves|wardrobe|chest|cabinet|.*cabinet|crib|vanity|double vanity|dresser.*|futon.*|hammock"
    "|puff|.*carpet|.*rug|curtain|clothes rack|towel rack|tv stand|day bed|couch-and-lamp|mirror"
    "|seat|class seat|bench|painted bench|bedside table|deck chair|tatami|knife stand|window blind",
    20: "balloon|basketball|boomerang|chess-pawn|chess.*|game-die|joker|kite|nesting-dolls|pinata"
    "|pool-8-ball|puzzle-piece|soccer.?ball|teddy-bear|water-pistol|yo-yo|chessboard|child swing"
    "|children game|dart game|doll|doll house|punching ball|rubik.*|sandpit|toy train|tricycle"
    "|car model|american-football|baseball|volleyball|tennis|softball|rugby-football|ping-pong"
    "|badminton|bowling|flying-disc|.*teddy_bear.*|toys .*|playground-slide|table tennis.*"
    "|xylophone|magic-wand|slot-machine|mahjong-red-dragon|robot|crayon|flipper",
    21: "bikini|briefs|one-piece-swimsuit|socks|bra|underwear",
    22: "laptop.*|camera.*|reflex camera|surveillance camera|cctv|mobile-phone|mobile phone"
    "|telephone|telephone-receiver|television|desktop-computer|computer-mouse|keyboard.*"
    "|headphone|joystick.*|printer|radio|pager|fax-machine|film-projector|movie-camera"
    "|video-camera|video-game|videocassette|studio-microphone|trackball|battery.*|electric-plug"
    "|alarm-clock|optical-disk|floppy-disk|computer-disk|dvd.*|apple i.*|screen|tv .*|wall flat tv"
    "|tablet|video projector|wireless phone|phone.*|mp3 .*|mini stereo|stereo amplifier"
    "|playstation|intercom.*|inkjet printer.*|low-battery|level-slider|control-knobs|watch-.*"
    "|hardware (?!etiquette|gnome|racked|firewall|hub|8port).*|digital_camera.*|usb_memory.*"
    "|.*cell.*phone.*|lcd.*|.*monitor.*|pda|stopwatch|timer-clock",
}
_FOOD = "food (fruit|desserts|breads|meats|vegetables|dairy)"
_CLIPART_OTHER = re.compile(
    r"^(animals|plants|transportation|buildings|signs_and_symbols|people (smilies|stickmen|body)"
    r"|tools|science|recreation music)"
)
_EMOJI_UNSAID = re.compile(
    r"^(oncoming-|man-|woman-|.*-with-.*face|clothing|shopping-cart|jack-o-lantern|candle"
    r"|mantelpiece-clock|hourglass.*|flashlight|telescope|microscope|film-frames|cinema"
    r"|hot-beverage|teacup.*|teapot|mate|chopsticks|fork.*|spoon|bowl.*|pot-of-food|salt|takeout.*"
    r"|fondue|ice|rice|herb|hijab|womans-hat|rosette|reminder-ribbon|sports-medal|trophy|lab.*"
    r"|bathtub|shower|razor|sponge|window|basket|roll-of-paper"
    r"|safety-pin|military-medal|.*medal|wrapped-gift|red-envelope|party-popper|mirror-ball"
    r"|loudspeaker|megaphone|satellite.*|abacus|calculator|card-.*|credit-card|ticket|.*-clock)$"
)

_NUMBERED = ("drawn", "icon", "clip", "shop")


def category_of(kind: str, label: str) -> int | None:
    """Return the category a picture's name tells, Other for none of them, ``None`` if unsure."""
    if kind in _NUMBERED:
        return int(label)
    name = label.lower()
    if kind in ("view", "model"):
        name = _without_room(name)
    if kind == "clipart":
        return _of_clipart(name)
    found = _word(name)
    if found is not None:
        return found
    if kind == "emoji" and _EMOJI_UNSAID.match(name):
        return None
    return OTHER


def _word(name: str) -> int | None:
    if "wheelchair" in name:
        return OTHER
    return next((id_ for id_, words in _WORDS.items() if re.fullmatch(words, name)), None)


def _without_room(name: str) -> str:
    rooms = ("doors and windows", "living room")
    room = next((r for r in rooms if name.startswith(r)), name.split(" ", maxsplit=1)[0])
    return name[len(room) :].strip()


def _of_clipart(name: str) -> int | None:
    """Try ever shorter beginnings of the file name: what follows is the author's name."""
    if _CLIPART_OTHER.match(name):
        return OTHER
    *folders, last = name.split(" ")
    parts = re.split("[_-]", last)
    for count in range(len(parts), 0, -1):
        for glue in ("-", " "):
            found = _word(glue.join(parts[:count]))
            if found is not None:
                return found
    folder = " ".join(folders)
    known = ((_FOOD, 6), ("recreation toys", 20), ("people clothing hats", 5))
    return next((id_ for words, id_ in known if re.match(words, folder)), None)
