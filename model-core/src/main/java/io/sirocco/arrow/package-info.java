/** The columnar boundary: an Arrow batch of rows in, an Arrow batch of results out. */
package io.sirocco.arrow;
