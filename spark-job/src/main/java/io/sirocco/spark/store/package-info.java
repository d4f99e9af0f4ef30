/**
 * Models from anywhere: what the driver must know of a remote model, and the one copy of it that
 * the executors of a host share.
 */
package io.sirocco.spark.store;
