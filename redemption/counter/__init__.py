"""商户端: the pages of a shop's counter, for a phone in a shop assistant's hand. No part of the back office."""
