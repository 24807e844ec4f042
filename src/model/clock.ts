// Time arrives as an argument; only compose builds a clock that reads the real one.

export type Clock = () => Date
