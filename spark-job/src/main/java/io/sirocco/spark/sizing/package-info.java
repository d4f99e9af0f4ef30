/** How the rows of a job are shared out among its tasks. */
package io.sirocco.spark.sizing;
