/** Results to Parquet, and the record of the run beside them. */
package io.sirocco.spark.output;
