DROP TABLE rating_commenters;
DROP TABLE rating_comments;
