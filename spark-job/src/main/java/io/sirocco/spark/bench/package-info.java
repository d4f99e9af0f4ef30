/** What {@code bench} measures, with Spark and without it, and how it is shown. */
package io.sirocco.spark.bench;
