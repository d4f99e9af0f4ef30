package io.sirocco.spark.job;

/** Formats of input files, by Spark's names. */
enum InputFormat {
  JSON,
  PARQUET,
  CSV,
  ORC,
  TEXT
}
