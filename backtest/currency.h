/*
 * currency.h - how small the coins of a currency are, by ISO 4217. Pure; any thread.
 */
#ifndef BACKTEST_CURRENCY_H
#define BACKTEST_CURRENCY_H

/* How many of its smallest units make one of the currency: 1 (KRW, JPY), 100 or 1000 (KWD). */
double currency_units(const char *code);

#endif
