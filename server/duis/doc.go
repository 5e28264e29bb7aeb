// Package duis speaks Service Request 12.1 of the DCC User Interface
// Specification, Request WAN Matrix: it reads a RequestWANMatrix, and makes the
// DSPWANMatrix that answers it, in XML.
//
// # The envelope
//
// The real envelope is signed by parties that we are not. What is taken and given
// here is the body, with as little around it as tells which request an answer is
// of:
//
//	<Request xmlns="http://www.dccinterface.co.uk/ServiceUserGateway" schemaVersion="5.4">
//	  <Header>
//	    <RequestID>…</RequestID>                                      1 to 100 characters, repeated in the answer
//	    <CommandVariant>8</CommandVariant>                            or not given
//	    <ServiceReference>12.1</ServiceReference>                     or not given
//	    <ServiceReferenceVariant>12.1</ServiceReferenceVariant>       or not given
//	  </Header>
//	  <Body>
//	    <RequestWANMatrix>
//	      <PartialAddress>                                            or <UPRN>…</UPRN>
//	        <PostCode>GU1 1AA</PostCode>
//	        <AddressIdentifier>12</AddressIdentifier>                 may be empty: then the postcode alone is asked about
//	      </PartialAddress>
//	    </RequestWANMatrix>
//	  </Body>
//	</Request>
//
//	<Response xmlns="http://www.dccinterface.co.uk/ServiceUserGateway" schemaVersion="5.4">
//	  <Header>
//	    <RequestID>…</RequestID>                                      where there was one
//	    <ResponseCode>I0</ResponseCode>
//	    <ResponseText>…</ResponseText>
//	    <CSPRegion>…</CSPRegion>                                      in the flat shape, where there is no body
//	    <ResponseDateTime>2026-12-01T12:00:00Z</ResponseDateTime>
//	  </Header>
//	  <Body><DSPWANMatrix>…</DSPWANMatrix></Body>
//	</Response>
//
// A RequestWANMatrix with the attribute schemaVersion and nothing around it is
// taken too, and answered by the same Response, without RequestID.
//
// # Two shapes
//
// schemaVersion says which the caller reads. Up to 5.1 the answer is flat: one
// CSPRegion, which is that of the 2G/3G network of the premises' Region, and its
// coverage. It has no place for a code: where there is no coverage to tell of,
// there is no body, and the code and the Region are in the header. From 5.3 on it
// is a list of DSPWANMatrixResponse, one for each network region of the premises,
// each with a code of its own and coverage where something is known. What 5.2
// reads is not known here: it is refused, and so is a request that does not say.
//
// # Why XML is read with suspicion
//
// Nothing in a request is fetched, expanded or looked up: a document type is
// refused, and with it every entity but the five of XML. Marks are counted before
// anything is parsed, since one element may have ten thousand attributes, all of
// which encoding/xml would hand over at once. So a body costs no more memory than
// a few times its size.
package duis
