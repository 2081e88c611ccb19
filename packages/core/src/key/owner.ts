/** An owner's name is part of S3 keys and of the table's. */
export const ownerPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
