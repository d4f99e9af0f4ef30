/**
 * What runs in an executor: one engine per JVM, one model copy per host, a partition's rows to
 * Arrow batches and back.
 */
package io.sirocco.spark.exec;
