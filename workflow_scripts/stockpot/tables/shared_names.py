"""Names of columns and rows that tables of analyses share with figures; imports no pandas."""

# The column of a table that only says why it is empty.
NOTHING = "nothing"
# Heading of the mean where there are several shifts.
MEAN_OF_SHIFTS = "mean of shifts"
