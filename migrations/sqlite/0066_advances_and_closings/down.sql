DROP TABLE period_closing_penalties;
DROP TABLE period_closings;
DROP TABLE advance_recoveries;
