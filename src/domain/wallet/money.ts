/** An amount in the currency's smallest unit (won, cents). Always an integer that a double holds exactly. */
export type Money = number;

/** ISO 4217, for example `KRW`. */
export type Currency = string;
