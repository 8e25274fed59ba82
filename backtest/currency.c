/* currency.c - currencies whose smallest unit is not a hundredth: ISO 4217, list one. */
#include "backtest/currency.h"

#include "base/attrs.h"

#include <stddef.h>
#include <string.h>

double currency_units(const char *code)
{
    static const char *const whole[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY",
                                        "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
                                        "VND", "VUV", "XAF", "XOF", "XPF"};
    static const char *const thousandths[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (strcmp(whole[i], code) == 0)
            return 1;
    for (size_t i = 0; i < ARRAY_LEN(thousandths); i++)
        if (strcmp(thousandths[i], code) == 0)
            return 1000;
    return 100;
}
