package io.sirocco.spark.config;

/** Formats of input files, by Spark's names. */
public enum InputFormat {
  JSON,
  PARQUET,
  CSV,
  ORC,
  TEXT
}
