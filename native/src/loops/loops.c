/* The table of loops of one instruction set, whose name is ISA. */
#include "columns.h"
#include "rows.h"
#include "runs.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

extern const Loops JOIN(loops_, ISA);

const Loops JOIN(loops_, ISA) = {
    .name = TEXT(ISA),
    .column_stats = column_stats,
    .column_apply = column_apply,
    .column_sums = column_sums,
    .column_grad = column_grad,
    .run_stats = run_stats,
    .run_apply = run_apply,
    .run_sums = run_sums,
    .run_grad = run_grad,
    .row_apply = row_apply,
    .row_sums = row_sums,
    .four_stats = four_stats,
    .four_sums = four_sums,
    .row_grad = row_grad,
};
