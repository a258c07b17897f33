"""Which records are of one customer: compared field by field, weighed, decided, explained. Pure; numpy and rapidfuzz."""
