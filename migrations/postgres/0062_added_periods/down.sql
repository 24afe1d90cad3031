-- What was added stays: plans and inspections may be of it.
SELECT 1;
