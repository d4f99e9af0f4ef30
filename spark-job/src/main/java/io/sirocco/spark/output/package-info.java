/**
 * Results to Parquet: durable as they are computed, shown when complete, with a record of the run.
 */
package io.sirocco.spark.output;
