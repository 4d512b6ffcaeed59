"""How every SLO stands, a minute at a time: ask, count, judge, write down."""
