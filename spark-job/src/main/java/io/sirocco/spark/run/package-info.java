/** One job from its input to its output: planned, checked beforehand, run, resumed, counted. */
package io.sirocco.spark.run;
